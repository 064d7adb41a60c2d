#!/usr/bin/env bash
# Builds Ollama for the CPU through the Go module proxy and prints the path of the program; a finished build is reused.
# Module archives leave out folders named "vendor", and with them four C++ headers that Ollama's llama.cpp includes:
# they are taken from the llama.cpp source that build-llama-server.sh has unpacked.
# Needs Go 1.24 or newer and a C++ compiler; takes about 5 minutes on 2 cores.
# usage: scripts/build-ollama.sh      (the cache is ${SLIPWAY_CACHE:-$HOME/.cache/slipway}/ollama)
set -euo pipefail

version=0.17.4
cache="${SLIPWAY_CACHE:-$HOME/.cache/slipway}"
folder="$cache/ollama/$version"
program="$folder/ollama"

if "$program" --version >/dev/null 2>&1; then
  echo "$program"
  exit 0
fi

if ! command -v go >/dev/null; then
  echo "build-ollama: go is missing (1.24 or newer is needed)" >&2
  exit 3
fi
headers=$(echo "$cache"/llama-server/*/src/vendor)
if [ ! -f "$headers/nlohmann/json.hpp" ]; then
  echo "build-ollama: no llama.cpp source in $cache; run scripts/build-llama-server.sh first" >&2
  exit 3
fi

mkdir -p "$folder"
echo "build-ollama: building in $folder, log in build.log" >&2
CGO_CFLAGS="-O2 -I$headers" CGO_CXXFLAGS="-O2 -I$headers" GOBIN="$folder" GOFLAGS=-buildvcs=false \
  go install -ldflags "-X=github.com/ollama/ollama/version.Version=$version" \
  "github.com/ollama/ollama@v$version" >"$folder/build.log" 2>&1 || { tail -n 30 "$folder/build.log" >&2; exit 1; }
echo "$program"
