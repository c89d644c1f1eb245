"""The local cloud: MiniStack as the AWS endpoint, and real Terraform applying the synthesised stack to it."""
