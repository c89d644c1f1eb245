# Plans with the real provider and no access to AWS: policies are what AWS would get.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name = "media-test"
}

override_resource {
  target          = aws_s3_bucket.this
  override_during = plan
  values = {
    id  = "media-test-1"
    arn = "arn:aws:s3:::media-test-1"
  }
}

run "a_bucket_is_private_encrypted_versioned_and_speaks_tls_only" {
  command = plan

  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy, aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets])
    error_message = "Every way to make the bucket public must be closed."
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.this.policy).Statement == [{
      Sid       = "DenyWithoutTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::media-test-1", "arn:aws:s3:::media-test-1/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "Requests without TLS must be refused."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "Objects must be encrypted by default."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "The bucket must keep versions."
  }

  assert {
    condition     = aws_s3_bucket.this.force_destroy == false
    error_message = "Bodies must not go with a destroy unless the user says so."
  }
}

run "bodies_and_old_versions_expire" {
  command = plan

  variables {
    body_expiration_days               = 60
    noncurrent_version_expiration_days = 7
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : [rule.filter[0].prefix, rule.expiration[0].days] if length(rule.expiration) > 0] == [["bodies/events/", 60]]
    error_message = "Bodies, and nothing else, must expire."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.noncurrent_version_expiration[0].noncurrent_days if length(rule.noncurrent_version_expiration) > 0] == [7]
    error_message = "Versions that are not current must expire."
  }
}

run "a_customer_managed_key_encrypts" {
  command = plan

  variables {
    settings = { kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" } }
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/1"
    error_message = "The key must be used."
  }
}

run "a_long_name_still_fits" {
  command = plan

  variables {
    name = "media-events-production-europe-west-frankfurt"
  }

  assert {
    condition     = length(aws_s3_bucket.this.bucket_prefix) <= 37
    error_message = "S3 takes prefixes of 37 characters at most."
  }
}

run "a_name_that_s3_refuses_is_refused" {
  command = plan

  variables {
    name = "Media_Test"
  }

  expect_failures = [var.name]
}

run "bodies_outlive_the_messages_that_point_at_them" {
  command = plan

  variables {
    body_expiration_days = 52
  }

  expect_failures = [var.body_expiration_days]
}

run "e1_an_append_only_bucket_refuses_everybody_changes_and_other_names" {
  command = plan

  variables {
    append_only = { mode = "COMPLIANCE", days = 30 }
  }

  assert {
    condition = slice(jsondecode(aws_s3_bucket_policy.this.policy).Statement, 1, 4) == [
      {
        Sid       = "DenyOverwriting"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::media-test-1/*"
        Condition = { Null = { "s3:if-none-match" = "true" } }
      },
      {
        Sid         = "DenyWritingAsAnother"
        Effect      = "Deny"
        Principal   = "*"
        Action      = "s3:PutObject"
        NotResource = "arn:aws:s3:::media-test-1/*/$${aws:userid}"
      },
      {
        Sid       = "DenyChanging"
        Effect    = "Deny"
        Principal = "*"
        NotAction = ["s3:GetObject*", "s3:PutObject"]
        Resource  = "arn:aws:s3:::media-test-1/*"
      },
    ]
    error_message = "Whatever their own policies say, people must only add objects, and in their own name."
  }

  assert {
    condition     = aws_s3_bucket.this.object_lock_enabled && aws_s3_bucket_object_lock_configuration.this[0].rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.this[0].rule[0].default_retention[0].days == 30
    error_message = "Who may change the policy must be held off by the lock."
  }
}

run "an_ordinary_bucket_has_no_lock" {
  command = plan

  assert {
    condition     = length(aws_s3_bucket_object_lock_configuration.this) == 0 && length(jsondecode(aws_s3_bucket_policy.this.policy).Statement) == 1
    error_message = "Bodies are deleted with their items."
  }
}

run "another_mode_of_lock_is_refused" {
  command = plan

  variables {
    append_only = { mode = "SOMETIMES", days = 1 }
  }

  expect_failures = [var.append_only]
}
