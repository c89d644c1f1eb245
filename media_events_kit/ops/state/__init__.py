"""`media-events state`: moves Terraform's state where the kit keeps it by now."""
