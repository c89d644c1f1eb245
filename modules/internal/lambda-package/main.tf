locals {
  packaged_zip = "${path.module}/../../../lambda_src/dist/media_events.zip"
  filename     = var.filename == null ? local.packaged_zip : var.filename

  # The object's precondition reports a missing file. The digests would fail first, without saying how to make one.
  exists           = try(fileexists(local.filename), false)
  sha256           = local.exists ? filesha256(local.filename) : "missing"
  source_code_hash = local.exists ? filebase64sha256(local.filename) : null
}

# The key is made of the content, so another zip is another object, and the old one stays until every function has moved
# on: an apply that breaks off in the middle leaves both.
resource "aws_s3_object" "this" {
  #checkov:skip=CKV_AWS_186:Encrypted with the bucket's default key, which is the customer managed key where there is one
  bucket       = one(var.settings.bucket[*].name)
  key          = "${var.prefix}/${local.sha256}.zip"
  source       = local.filename
  content_type = "application/zip"

  # No tags, not even the provider's default ones: S3 takes ten on an object, and a workflow may have fifty
  # (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html).
  override_provider {
    default_tags {
      tags = {}
    }
  }

  lifecycle {
    create_before_destroy = true

    # The key changes with the content. The same zip in another folder of another machine is no change.
    ignore_changes = [source]

    precondition {
      condition     = var.settings.bucket != null
      error_message = "settings.bucket is missing: it is where the zip is stored. The output bucket of internal/storage-bucket fits."
    }

    precondition {
      condition     = local.exists
      error_message = var.filename == null ? "The Lambda package ${local.packaged_zip} does not exist. Run `make package` in the repository that this module is from, or pass filename." : "filename: there is no file ${local.filename} on the machine that runs Terraform."
    }
  }
}
