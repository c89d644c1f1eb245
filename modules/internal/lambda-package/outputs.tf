output "package" {
  description = "Where the functions' code is, as `settings.package` takes it."
  value = {
    s3_bucket        = aws_s3_object.this.bucket
    s3_key           = aws_s3_object.this.key
    source_code_hash = local.source_code_hash
  }
}
