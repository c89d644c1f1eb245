output "statements" {
  description = "Statements of the bucket's policy. Whoever may change this policy is held off by S3's Object Lock alone."
  value = [
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    {
      Sid       = "DenyOverwriting"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${var.bucket_arn}/*"
      Condition = { Null = { "s3:if-none-match" = "true" } }
    },
    # https://docs.aws.amazon.com/redshift/latest/mgmt/query-editor-v2-loading.html has such a statement.
    {
      Sid         = "DenyWritingAsAnother"
      Effect      = "Deny"
      Principal   = "*"
      Action      = "s3:PutObject"
      NotResource = "${var.bucket_arn}/*/$${aws:userid}"
    },
    # Deletions, tags, lists of permissions, other retention, and what S3 may learn to change one day.
    {
      Sid       = "DenyChanging"
      Effect    = "Deny"
      Principal = "*"
      NotAction = ["s3:GetObject*", "s3:PutObject"]
      Resource  = "${var.bucket_arn}/*"
    },
  ]
}
