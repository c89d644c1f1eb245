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

resource "aws_sqs_queue" "orders" {
  name                    = "transcode-orders"
  sqs_managed_sse_enabled = true
}

module "callbacks" {
  source = "../../modules/task-callbacks"

  name = "media-callbacks"
}

module "ingest" {
  source = "../../modules/state-machine"

  name = "media-ingest"

  definition = jsonencode({
    StartAt = "OrderTranscode"
    States = {
      OrderTranscode = {
        Type     = "Task"
        Resource = "arn:aws:states:::sqs:sendMessage"
        Parameters = {
          QueueUrl    = aws_sqs_queue.orders.url
          MessageBody = { "asset.$" = "$.metadata.subject", "job_id.$" = "$$.Execution.Name" }
        }
        ResultPath = null
        Next       = "WaitForTranscode"
      }
      WaitForTranscode = {
        Type     = "Task"
        Resource = "arn:aws:states:::lambda:invoke.waitForTaskToken"
        Parameters = {
          FunctionName = module.callbacks.function_arn
          Payload = {
            "key.$"     = "$$.Execution.Name", "token.$" = "$$.Task.Token", source = "partner.transcoder"
            "since.$"   = "$$.Execution.StartTime"
            "entered.$" = "$$.State.EnteredTime"
          }
        }
        TimeoutSeconds = 14400
        End            = true
      }
    }
  })

  policy_statements = {
    Order = { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.orders.arn] }
    Wait  = { actions = ["lambda:InvokeFunction"], resources = [module.callbacks.function_arn] }
  }
}

module "bus" {
  source = "../../modules/bus-custom"

  name = "media-example"
}

module "router" {
  source = "../../modules/router"

  name    = "media-example"
  bus_arn = module.bus.bus_arn

  routes = {
    transcodes = {
      pattern = jsonencode({ source = ["partner.transcoder"], detail-type = ["encode.completed", "encode.failed"] })
      target = { task_callback = {
        task_callbacks_table = module.callbacks.task_callbacks_table
        correlation_key      = "data.job_id"
        failure_when         = "metadata.type == 'encode.failed'"
        error                = "TranscodeFailed"
      } }
    }
  }
}
