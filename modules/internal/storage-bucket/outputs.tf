output "bucket" {
  description = "The bucket, `{ name, arn }`, as `settings.bucket` takes it."
  value       = { name = aws_s3_bucket.this.id, arn = aws_s3_bucket.this.arn }

  # Nothing is stored before the bucket is private, encrypted and versioned.
  depends_on = [
    aws_s3_bucket_object_lock_configuration.this,
    aws_s3_bucket_policy.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}
