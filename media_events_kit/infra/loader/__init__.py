"""From a workflow file to the validated model."""
