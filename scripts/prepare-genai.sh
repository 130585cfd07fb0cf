#!/bin/sh
# Makes a Python with onnxruntime-genai in .cache/genai-python, for the tests that load exports in it; without one they are
# skipped. It does only what is missing, and needs Python 3.10 or newer with venv. onnxruntime comes along with it.
set -eu
cd "$(dirname "$0")/.."

version=0.18.0
folder=.cache/genai-python
if [ -f "$folder/version" ] && [ "$(cat "$folder/version")" = "$version" ]; then exit 0; fi
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "onnxruntime-genai==$version" numpy
echo "$version" >"$folder/version"
