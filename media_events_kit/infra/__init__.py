"""The composition: what `workflow.yaml` may say, and the stacks that it becomes."""
