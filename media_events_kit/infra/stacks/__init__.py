"""From the model to CDKTF stacks."""
