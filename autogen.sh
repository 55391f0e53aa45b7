#!/bin/sh
# Make configure from a fresh clone.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force
