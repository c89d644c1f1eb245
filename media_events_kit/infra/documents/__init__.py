"""Readers of documents: YAML with places, diagnostics, specification files, Python layers."""
