resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Access logs would need a second bucket; CloudTrail data events record reads, where that is wanted
  #checkov:skip=CKV_AWS_144:Holds configurations, which Terraform makes again, and bodies in transit: a second region would be waste
  #checkov:skip=CKV2_AWS_62:Nothing reacts to objects here: the function that stores one sends the event itself
  #checkov:skip=CKV_AWS_19:Always encrypted, see below; checkov does not find the algorithm where this module is three modules deep
  #checkov:skip=CKV_AWS_145:Encrypted with SSE-S3 by default; settings.kms_key sets a customer managed key
  bucket        = var.bucket_name
  bucket_prefix = var.bucket_name == null ? "${trimsuffix(substr(var.name, 0, 36), "-")}-" : null # 37 characters at most
  force_destroy = var.force_destroy
  tags          = var.settings.tags

  object_lock_enabled = var.append_only == null ? null : true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "DenyWithoutTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }], flatten(module.append_only[*].statements))
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.settings.kms_key == null ? null : true

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.settings.kms_key == null ? "AES256" : "aws:kms"
      kms_master_key_id = one(var.settings.kms_key[*].arn)
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  # Bodies of events in transit. Those of review items (bodies/review/) don't expire: an item may wait for months, and
  # dlq-review deletes its bodies with it.
  rule {
    id     = "expire-bodies"
    status = "Enabled"

    filter {
      prefix = "bodies/events/"
    }

    expiration {
      days = var.body_expiration_days
    }
  }

  rule {
    id     = "clean-up"
    status = "Enabled"

    filter {
      prefix = ""
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_expiration_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
