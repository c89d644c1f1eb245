# Objects that nobody changes or deletes, each with its writer's identity as the end of its key.

# It binds everybody, whatever their own policies allow.
module "append_only" {
  source = "../append-only-policy"
  count  = var.append_only == null ? 0 : 1

  bucket_arn = aws_s3_bucket.this.arn
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
