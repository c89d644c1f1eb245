# Every target that a function delivers to: what the function is told and what it may do there, with the real provider and
# no access to AWS.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name    = "media-test"
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = {
    bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
  }

  routes = {
    cms = {
      pattern         = jsonencode({ detail-type = ["asset.ready"] })
      ordering        = "latest"
      circuit_breaker = { failures = 3 }
      target = { http = {
        url = "https://cms.example.com/events"
        auth = {
          type       = "oauth2-client-credentials"
          secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf"
          kms_key    = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }
          token_url  = "https://id.example.com/token"
          scope      = "assets"
        }
        tls = {
          ca_secret_arn                 = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:studio-ca-AbCdEf"
          client_certificate_secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-client-AbCdEf"
          kms_key                       = { arn = "arn:aws:kms:eu-central-1:123456789012:key/3" }
        }
      } }
    }
    per-asset = {
      pattern  = jsonencode({ detail-type = ["asset.ready"] })
      ordering = "strict"
      strict   = { on_failure = "park" }
      target = { sqs = {
        queue_arn = "arn:aws:sqs:eu-central-1:123456789012:assets.fifo"
        queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/assets.fifo"
        mode      = "data"
        kms_key   = { arn = "arn:aws:kms:eu-central-1:123456789012:key/2" }
      } }
    }
    notices = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target  = { sns = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:notices" } }
    }
    partners = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target  = { event_bus = { bus_arn = "arn:aws:events:us-east-1:999999999999:event-bus/shared" } }
    }
    custom = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target  = { lambda = { function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:on-asset" } }
    }
    lake = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target  = { firehose = { stream_arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/lake" } }
    }
    transcodes = {
      pattern = jsonencode({ detail-type = ["encode.completed"] })
      target = { task_callback = {
        task_callbacks_table = { name = "media-task-callbacks", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-task-callbacks" }
        correlation_key      = "data.job.id"
        failure_when         = "data.status == 'error'"
      } }
    }
  }
}

run "functions_are_told_their_targets" {
  command = plan

  assert {
    condition = { for name in ["type", "ordering", "circuit_breaker", "auth", "tls"] : name => jsondecode(jsonencode(local.destination_documents["cms"]))[name] } == {
      type            = "http"
      ordering        = "latest"
      circuit_breaker = { enabled = null, failures = 3, delay_seconds = null, max_delay_seconds = null, hold_seconds = null }
      auth = {
        type       = "oauth2-client-credentials"
        secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf"
        token_url  = "https://id.example.com/token"
        scope      = "assets"
      }
      tls = {
        ca_secret_arn                 = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:studio-ca-AbCdEf"
        client_certificate_secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-client-AbCdEf"
      }
    }
    error_message = "The http destination is not what the deliver function reads."
  }

  assert {
    condition = jsondecode(jsonencode({ for key, document in local.destination_documents : key => document if key != "cms" })) == {
      per-asset = {
        name      = "per-asset"
        ordering  = "strict"
        strict    = { reorder_seconds = null, on_failure = "park", hold_seconds = null }
        type      = "sqs"
        queue_arn = "arn:aws:sqs:eu-central-1:123456789012:assets.fifo"
        queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/assets.fifo"
        mode      = "data"
      }
      notices    = { name = "notices", type = "sns", topic_arn = "arn:aws:sns:eu-west-1:123456789012:notices", mode = "structured" }
      partners   = { name = "partners", type = "event-bus", bus_arn = "arn:aws:events:us-east-1:999999999999:event-bus/shared" }
      custom     = { name = "custom", type = "lambda", function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:on-asset", invocation = "request-response", mode = "envelope", timeout_seconds = 20 }
      lake       = { name = "lake", type = "firehose", stream_arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/lake" }
      transcodes = { name = "transcodes", type = "task-callback", task_callbacks_table = "media-task-callbacks", correlation_key = "data.job.id", failure_when = "data.status == 'error'" }
    }
    error_message = "A destination is not what the deliver function reads."
  }

  assert {
    condition     = length(local.own_target) == 0 && toset(keys(local.queued)) == toset(keys(var.routes))
    error_message = "With a mode a function delivers, not the rule: only it knows each event's own ordering key."
  }
}

run "functions_may_do_what_their_targets_need_and_nothing_else" {
  command = plan

  assert {
    condition = jsondecode(jsonencode({ for key, statements in local.target_statements : key => { for sid, statement in statements : sid => [statement.actions, statement.resources] } })) == {
      cms = {
        Secret = [["secretsmanager:GetSecretValue"], [
          "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf",
          "arn:aws:secretsmanager:eu-west-1:123456789012:secret:studio-ca-AbCdEf",
          "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-client-AbCdEf",
        ]]
        UseKeyOfSecretsmanager = [["kms:Decrypt"], ["arn:aws:kms:eu-west-1:123456789012:key/1", "arn:aws:kms:eu-central-1:123456789012:key/3"]]
      }
      per-asset = {
        SendToQueue = [["sqs:SendMessage"], ["arn:aws:sqs:eu-central-1:123456789012:assets.fifo"]]
        UseKeyOfSqs = [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:eu-central-1:123456789012:key/2"]]
      }
      notices  = { PublishToTopic = [["sns:Publish"], ["arn:aws:sns:eu-west-1:123456789012:notices"]] }
      partners = { PutOnBus = [["events:PutEvents"], ["arn:aws:events:us-east-1:999999999999:event-bus/shared"]] }
      custom   = { InvokeTarget = [["lambda:InvokeFunction"], ["arn:aws:lambda:eu-west-1:123456789012:function:on-asset"]] }
      lake     = { WriteToStream = [["firehose:PutRecordBatch"], ["arn:aws:firehose:eu-west-1:123456789012:deliverystream/lake"]] }
      transcodes = {
        TaskCallbacks = [["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"], ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-task-callbacks"]]
        AnswerTasks   = [["states:SendTaskFailure", "states:SendTaskSuccess"], ["*"]]
      }
    }
    error_message = "A function may do less or more than its target needs."
  }

  assert {
    condition     = tolist(local.target_statements["per-asset"].UseKeyOfSqs.conditions[0].values) == tolist(["sqs.eu-central-1.amazonaws.com"])
    error_message = "A key is used through the service that it encrypts for, in its own region."
  }
}
