# A queue, its dead-letter queue and a consumer of your own, without the router: dlq-review reads any of them.
#
# In another repository: source = "git::https://github.com/<owner>/<repository>//modules/dlq-review?ref=<tag>"

resource "aws_cloudwatch_event_bus" "media" {
  name = "media-example"
}

resource "aws_sqs_queue" "transcodes" {
  name                    = "media-example-transcodes"
  sqs_managed_sse_enabled = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.transcodes_dlq.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "transcodes_dlq" {
  name                       = "media-example-transcodes-dlq"
  message_retention_seconds  = 14 * 24 * 60 * 60
  visibility_timeout_seconds = 360 # six times the redrive function's timeout
  sqs_managed_sse_enabled    = true
}

module "review" {
  source = "../../modules/dlq-review"

  name    = "media-example-review"
  bus_arn = aws_cloudwatch_event_bus.media.arn

  dead_letter_queues = {
    "route/transcodes" = {
      queue_arn        = aws_sqs_queue.transcodes_dlq.arn
      queue_url        = aws_sqs_queue.transcodes_dlq.url
      hop              = "route/transcodes"
      destination      = "transcodes"
      source_queue_arn = aws_sqs_queue.transcodes.arn
      source_queue_url = aws_sqs_queue.transcodes.url
      redrive_target   = "queue"
      redrive          = { max_count = 2, base_delay_seconds = 300 }
    }
  }
}

resource "aws_sns_topic_subscription" "operators" {
  topic_arn = module.review.topic_arn
  protocol  = "email"
  endpoint  = var.operators_email
}
