#!/usr/bin/env bash
# Builds the scripts and styles of the pages from viewer/ (Node 18 or newer and npm; users need neither).
set -euo pipefail
cd "$(dirname "$0")/../viewer"
npm ci --no-audit --no-fund --loglevel=error
npm run --silent check
npm run --silent build
