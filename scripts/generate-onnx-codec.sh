#!/usr/bin/env bash
# Regenerates src/engine/onnx/file/onnx_pb.ts from onnx.proto. Needed only after editing onnx.proto; wants Node 22 or newer.
set -euo pipefail
cd "$(dirname "$0")/../src/engine/onnx/file"
npx --yes -p @bufbuild/buf@1.75.0 -p @bufbuild/protoc-gen-es@2.17.0 buf generate . --template '{
  "version": "v2", "inputs": [{"proto_file": "onnx.proto"}],
  "plugins": [{"local": "protoc-gen-es", "out": ".", "opt": ["target=ts", "import_extension=js"]}]
}'
