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

module "bus" {
  source = "../../modules/bus-custom"

  name        = "media-events-dev"
  description = "What happens to our assets"

  archive = { retention_days = 30 }

  producers = {
    post-production = {
      account_ids = ["111122223333"]
      sources     = ["example.post-production"]
    }
    studios = {
      organization_id = "o-a1b2c3d4e5"
      sources         = ["example.studio"]
    }
  }
}

output "bus_arn" {
  description = "Where producers put their events."
  value       = module.bus.bus_arn
}
