locals {
  policy_statements = { for sid, statement in {
    EventBodies = {
      actions    = var.store ? ["s3:GetObject", "s3:PutObject"] : ["s3:GetObject"]
      resources  = ["${try(var.bucket.arn, "")}/${var.prefix}*"]
      conditions = []
    }
    # Without it S3 answers 403 instead of 404 for a body that has expired, which then looks like a missing permission:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html. Of a read, s3:prefix is the object's key.
    FindEventBodies = {
      actions    = ["s3:ListBucket"]
      resources  = [try(var.bucket.arn, "")]
      conditions = [{ test = "StringLike", variable = "s3:prefix", values = ["${var.prefix}*"] }]
    }
  } : sid => statement if var.bucket != null }
}
