# Not encrypted with the bus's key: when that is disabled or denied, nothing else is left to keep the event with.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-dlq.html
resource "aws_sqs_queue" "this" {
  name                       = "${var.name}-bus-dlq"
  message_retention_seconds  = 1209600 # 14 days, the most there is
  visibility_timeout_seconds = var.failure.dlq_visibility_timeout_seconds
  max_message_size           = var.settings.max_message_size
  sqs_managed_sse_enabled    = true
  tags                       = var.settings.tags

  # Only the bus sends here; no queue may make it its own dead-letter queue.
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })
}

# Apart from the queue, because the bus names the queue and this names the bus.
resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.this.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "AllowBus"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.this.arn
        # AWS does not say whether the source is the bus or the rule that the event was matched with.
        Condition = { ArnLike = { "aws:SourceArn" = [var.bus_arn, "${replace(var.bus_arn, ":event-bus/", ":rule/")}/*"] } }
      },
    ]
  })
}
