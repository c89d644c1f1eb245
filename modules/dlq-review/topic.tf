################################################################################
# Topic: tells people of new review items
################################################################################

resource "aws_sns_topic" "review" {
  name              = var.name
  display_name      = "Events that wait for review"
  kms_master_key_id = coalesce(var.kms_key_arn, "alias/aws/sns")
  tags              = var.tags
}

# Only the function publishes, and its role allows it; no service has to be let in.
resource "aws_sns_topic_policy" "review" {
  arn    = aws_sns_topic.review.arn
  policy = data.aws_iam_policy_document.topic.json
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "FunctionPublishes"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.review.arn]

    principals {
      type        = "AWS"
      identifiers = [module.function.role_arn]
    }
  }

  statement {
    sid       = "OnlyEncryptedTransport"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.review.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
