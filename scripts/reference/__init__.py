"""The generated parts of docs/reference, one module for each subject."""
