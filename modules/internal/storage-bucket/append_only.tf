# Objects that nobody changes or deletes, each with its writer's identity as the end of its key.

locals {
  # They bind everybody, whatever their own policies allow. Whoever may change this policy is held off by the lock alone.
  append_only_statements = flatten([for _ in var.append_only[*] : [
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    {
      Sid       = "DenyOverwriting"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.this.arn}/*"
      Condition = { Null = { "s3:if-none-match" = "true" } }
    },
    # https://docs.aws.amazon.com/redshift/latest/mgmt/query-editor-v2-loading.html has such a statement.
    {
      Sid         = "DenyWritingAsAnother"
      Effect      = "Deny"
      Principal   = "*"
      Action      = "s3:PutObject"
      NotResource = "${aws_s3_bucket.this.arn}/*/$${aws:userid}"
    },
    # Deletions, tags, lists of permissions, other retention, and what S3 may learn to change one day.
    {
      Sid       = "DenyChanging"
      Effect    = "Deny"
      Principal = "*"
      NotAction = ["s3:GetObject*", "s3:PutObject"]
      Resource  = "${aws_s3_bucket.this.arn}/*"
    },
  ]])
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  count  = var.append_only == null ? 0 : 1
  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      mode = var.append_only.mode
      days = var.append_only.days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
