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

run "logs_are_the_regions_own_service_and_only_of_the_modules_log_groups" {
  command = plan

  variables {
    services = ["logs"]
  }

  assert {
    condition = jsonencode(output.statements) == jsonencode([{
      Action    = ["kms:Decrypt", "kms:Describe*", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:eu-west-1:*:log-group:/aws/*/media-test*" } }
      Effect    = "Allow"
      Principal = { Service = ["logs.eu-west-1.amazonaws.com"] }
      Resource  = "*"
    }])
    error_message = "The log groups of the module, and no others."
  }
}

run "senders_may_use_the_key_by_way_of_queues_and_topics_alone" {
  command = plan

  variables {
    services = []
    senders  = { Mam = { account_ids = ["210987654321"], organization_id = "o-a1b2c3d4e5" } }
  }

  assert {
    condition = jsonencode(output.statements) == jsonencode([{
      Action = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"]
      Condition = {
        StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" }
        StringLike   = { "kms:ViaService" = ["sns.*.amazonaws.com", "sqs.*.amazonaws.com"] }
      }
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::210987654321:root"] }
      Resource  = "*"
    }])
    error_message = "Another account's roles, for what they send."
  }
}
