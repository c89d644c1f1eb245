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
  name           = "media-test"
  bus_arn        = "arn:aws:events:eu-west-1:123456789012:event-bus/media-test"
  redrive_target = "bus"
  settings       = { kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/k" } }
}

override_resource {
  target          = aws_sqs_queue.this
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-bus-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-bus-dlq"
  }
}

run "the_queue_does_not_need_the_key_and_takes_what_the_bus_sends" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.this.kms_master_key_id == null
    error_message = "A disabled key must not keep an event from the queue, too."
  }

  assert {
    condition = jsondecode(aws_sqs_queue_policy.this.policy).Statement[1].Condition == { ArnLike = { "aws:SourceArn" = [
      "arn:aws:events:eu-west-1:123456789012:event-bus/media-test",
      "arn:aws:events:eu-west-1:123456789012:rule/media-test/*",
    ] } }
    error_message = "This bus may send, and no other."
  }

  assert {
    condition = (
      output.dead_letter_queues["ingress/media-test-bus"].redrive_target == "bus"
      && output.dead_letter_queues["ingress/media-test-bus"].redrive.max_count == 0
    )
    error_message = "A person puts the key right before anything is sent again."
  }
}
