################################################################################
# Topic: notifies people of new review items
################################################################################

resource "aws_sns_topic" "review" {
  name              = var.name
  display_name      = "Events that need review"
  kms_master_key_id = try(var.settings.kms_key.arn, "alias/aws/sns")
  tags              = var.settings.tags
}

# Only the function publishes, and its role allows it: no service needs access.
resource "aws_sns_topic_policy" "review" {
  arn = aws_sns_topic.review.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "FunctionPublishes"
        Effect    = "Allow"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.review.arn
        Principal = { AWS = module.function.role_arn }
      },
      {
        Sid       = "OnlyEncryptedTransport"
        Effect    = "Deny"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.review.arn
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
