output "lambda_package" {
  description = "Where the functions' code is, for the variable `lambda_package` of the other modules."
  value = {
    s3_bucket        = aws_s3_object.this.bucket
    s3_key           = aws_s3_object.this.key
    source_code_hash = local.source_code_hash
  }
}
