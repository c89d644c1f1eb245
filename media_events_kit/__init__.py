"""The workflow file, its stacks, and the commands: everything of this project that does not run in Lambda."""
