terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

module "storage" {
  source = "../../modules/storage-bucket"

  name                 = "media-events-dev"
  body_expiration_days = 60
}

output "bucket" {
  description = "For the `bucket` variable of the other modules."
  value       = { name = module.storage.bucket_name, arn = module.storage.bucket_arn }
}
