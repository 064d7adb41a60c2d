#!/usr/bin/env bash
# Builds llama.cpp's llama-server for the CPU and prints the path of the program; a finished build is reused.
# The source is the git bundle that the npm package node-llama-cpp carries, so npm is the only thing fetched from.
# Needs npm, git, cmake and a C++ compiler; takes about 7 minutes on 2 cores.
# usage: scripts/build-llama-server.sh      (the cache is ${SLIPWAY_CACHE:-$HOME/.cache/slipway}/llama-server)
set -euo pipefail

version=3.22.1
root="${SLIPWAY_CACHE:-$HOME/.cache/slipway}/llama-server/$version"
program="$root/src/build/bin/llama-server"

# A build that was killed while linking leaves a file that does not run: only one that runs is finished.
if "$program" --version >/dev/null 2>&1; then
  echo "$program"
  exit 0
fi

for tool in npm git cmake c++; do
  if ! command -v "$tool" >/dev/null; then
    echo "build-llama-server: $tool is missing; on Debian: apt-get install git cmake g++" >&2
    exit 3
  fi
done

mkdir -p "$root"
cd "$root"
if [ ! -d src/.git ]; then
  rm -rf package src src.unfinished
  tarball=$(npm pack --silent "node-llama-cpp@$version")
  tar xzf "$tarball" package/llama/gitRelease.bundle
  git -c advice.detachedHead=false clone --quiet package/llama/gitRelease.bundle src.unfinished
  mv src.unfinished src
  rm -rf package "$tarball"
fi

echo "build-llama-server: building in $root, log in build.log" >&2
cmake -S src -B src/build -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF \
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF >cmake.log 2>&1 || { tail -n 30 cmake.log >&2; exit 1; }
cmake --build src/build --target llama-server -j"$(nproc)" >build.log 2>&1 || { tail -n 30 build.log >&2; exit 1; }
"$program" --version >/dev/null 2>&1 || { echo "build-llama-server: $program was built and does not run" >&2; exit 1; }
echo "$program"
