#!/bin/sh
# Puts what the tests of the app need onto a Debian machine: a virtual screen with a desktop that shows notifications
# and a program that presses keys, the libraries of Electron, and Electron itself into .cache/electron, with a zip of it
# for packaging. Run it after `npm ci`; it does only what is missing.
#
# Without a copy of Electron in ../shared (where there is internet) the electron package downloads its own.
set -eu
cd "$(dirname "$0")/.."

packages="xvfb xauth libgtk-3-0 libnss3 libasound2 libgbm1 libnotify4 dbus-daemon dbus-bin dunst xdotool unzip zip"
missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}\n' "$package" "${package}t64" 2>/dev/null | grep -q '^install ok installed' ||
    missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    echo "Please install:$missing" >&2
    exit 1
  fi
fi

get=../shared/tools/get-electron.mjs
if [ ! -f "$get" ]; then
  node node_modules/electron/install.js
  exit 0
fi
if [ ! -x .cache/electron/electron ]; then
  mkdir -p .cache
  # It uses the tools of packaging/.
  scripts/with-node-24.sh node scripts/packaging-tools.mjs
  (cd packaging && ../scripts/with-node-24.sh node "../$get" ../.cache/electron)
fi
version=$(cat .cache/electron/version)
archive=.cache/electron-zip/electron-v$version-linux-x64.zip
if [ ! -f "$archive" ]; then
  mkdir -p .cache/electron-zip
  (cd .cache/electron && zip -q -r -y "../electron-zip/electron-v$version-linux-x64.zip" .)
fi
