output "bucket_name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.id

  # Whoever stores something waits until the bucket is private, encrypted and versioned.
  depends_on = [
    aws_s3_bucket_policy.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}
