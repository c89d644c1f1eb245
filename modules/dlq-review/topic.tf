################################################################################
# Topic: notifies people of new review items
################################################################################

locals {
  topic_arn = var.existing_topic == null ? aws_sns_topic.review[0].arn : var.existing_topic.arn
}

resource "aws_sns_topic" "review" {
  #checkov:skip=CKV_AWS_26:CloudWatch can't publish to a topic with the key alias/aws/sns, whose policy nobody can change. Notifications hold no event's content; settings.kms_key sets a key of your own
  # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
  count = var.existing_topic == null ? 1 : 0

  name              = var.name
  display_name      = "Events that need review"
  kms_master_key_id = one(var.settings.kms_key[*].arn)
  tags              = var.settings.tags
}

# The function publishes, and alarms of this account and region, which may name the topic as their action.
resource "aws_sns_topic_policy" "review" {
  count = length(aws_sns_topic.review)

  arn = local.topic_arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "FunctionPublishes"
        Effect    = "Allow"
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Principal = { AWS = module.function.role_arn }
      },
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Condition = {
          ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:*" }
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      },
      {
        Sid       = "OnlyEncryptedTransport"
        Effect    = "Deny"
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# The addresses before there could be a topic of the user's.
moved {
  from = aws_sns_topic.review
  to   = aws_sns_topic.review[0]
}

moved {
  from = aws_sns_topic_policy.review
  to   = aws_sns_topic_policy.review[0]
}
