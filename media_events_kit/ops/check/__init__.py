"""What Terraform can't see in the documents that modules take: specifications, steps and destinations."""
