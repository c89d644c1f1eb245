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

resource "aws_sqs_queue" "packaging" {
  name                    = "packaging-orders"
  sqs_managed_sse_enabled = true
}

module "packaging" {
  source = "../../modules/state-machine"

  name = "package-asset"

  definition = jsonencode({
    StartAt = "Order"
    States = {
      Order = {
        Type     = "Task"
        Resource = "arn:aws:states:::sqs:sendMessage"
        Parameters = {
          QueueUrl        = aws_sqs_queue.packaging.url
          "MessageBody.$" = "$.metadata"
        }
        Retry = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 2, BackoffRate = 2, MaxAttempts = 4 }]
        End   = true
      }
    }
  })

  policy_statements = {
    OrderPackaging = {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.packaging.arn]
    }
  }
}

output "state_machine_arn" {
  description = "For a route with a `step_functions` target."
  value       = module.packaging.state_machine_arn
}
