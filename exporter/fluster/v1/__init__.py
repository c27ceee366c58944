"""Generated from proto/fluster/v1 by scripts/generate-proto; not edited by hand."""
