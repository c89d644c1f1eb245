"""The checks: one subject each, from what is deployed to findings. They only read, except the probes."""
