# What a transform's function is permitted, and the code it is given, by what its steps ask for.

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
  name    = "media-test"
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = {
    bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
  }

  transforms = {
    complete = {
      pattern = jsonencode({ source = ["partner.frameio"] })
      steps = jsonencode([
        { set = { a = 1 } },
        { lookup = { into = "asset", http = { url = "https://api.example.com/{data.id}", auth = {
          type       = "basic"
          secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:frameio-AbCdEf"
          kms_key    = { arn = "arn:aws:kms:eu-west-1:123456789012:key/secrets" }
        }, tls = { ca_secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:studio-ca-AbCdEf" } } } },
        { lookup = { into = "row", dynamodb = { table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/titles", key = { id = "data.id" } } } },
        { lookup = { into = "file", s3 = { bucket = "inbox", key = "data.key", prefix = "in/", kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/inbox" } } } },
        { lookup = { into = "open", http = { url = "https://open.example.com/{data.id}" } } },
        { call = { function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:classify" } },
        { python = { function = "acme_steps:tidy" } },
      ])
      package = "tests/fixtures/steps.zip"
      layers  = ["arn:aws:lambda:eu-west-1:123456789012:layer:acme:7"]
    }
    plain = {
      pattern = jsonencode({ source = ["partner.mux"] })
      steps   = jsonencode([{ set = { a = 1 } }])
    }
  }
}

override_resource {
  target          = aws_dynamodb_table.idempotency
  override_during = plan
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency" }
}

override_resource {
  target          = module.hop["complete"].aws_sqs_queue.this
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:complete", url = "https://sqs.example/complete" }
}

override_resource {
  target          = module.hop["complete"].aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:complete-dlq", url = "https://sqs.example/complete-dlq" }
}

override_resource {
  target          = module.hop["complete"].module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:complete" }
}

override_resource {
  target          = aws_lambda_layer_version.package
  override_during = plan
  values          = { arn = "arn:aws:lambda:eu-west-1:123456789012:layer:media-test-complete:1" }
}

run "a_transform_may_do_what_its_steps_ask_for_and_no_more" {
  command = plan

  assert {
    condition = jsondecode(jsonencode({ for sid, statement in local.step_statements["complete"] : sid => [statement.actions, statement.resources] })) == {
      Step1Secret   = [["secretsmanager:GetSecretValue"], ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:frameio-AbCdEf", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:studio-ca-AbCdEf"]]
      Step1Key      = [["kms:Decrypt"], ["arn:aws:kms:eu-west-1:123456789012:key/secrets"]]
      Step2Table    = [["dynamodb:GetItem"], ["arn:aws:dynamodb:eu-west-1:123456789012:table/titles"]]
      Step3Object   = [["s3:GetObject"], ["arn:aws:s3:::inbox/in/*"]]
      Step3Absence  = [["s3:ListBucket"], ["arn:aws:s3:::inbox"]]
      Step3Key      = [["kms:Decrypt"], ["arn:aws:kms:eu-west-1:123456789012:key/inbox"]]
      Step5Function = [["lambda:InvokeFunction"], ["arn:aws:lambda:eu-west-1:123456789012:function:classify"]]
    }
    error_message = "The permissions must be those of the steps, each by its step."
  }

  assert {
    condition = {
      for sid, statement in local.step_statements["complete"] : sid => statement.conditions if length(statement.conditions) > 0
      } == {
      Step1Key     = [{ test = "StringEquals", variable = "kms:ViaService", values = ["secretsmanager.eu-west-1.amazonaws.com"] }]
      Step3Absence = [{ test = "StringLike", variable = "s3:prefix", values = ["in/*"] }]
      Step3Key     = [{ test = "StringEquals", variable = "kms:ViaService", values = ["s3.eu-west-1.amazonaws.com"] }]
    }
    error_message = "A key is for the service alone that encrypts with it, and absence is told below the prefix alone."
  }

  assert {
    condition = length(setsubtract(
      keys(local.step_statements["complete"]),
      [for statement in jsondecode(module.hop["complete"].policy).Statement : statement.Sid],
    )) == 0
    error_message = "They must stand in the function's policy."
  }

  assert {
    condition     = local.step_statements["plain"] == {}
    error_message = "Steps that ask nobody need no permission."
  }
}

run "a_package_becomes_a_layer_before_the_others" {
  command = plan

  assert {
    condition     = keys(aws_lambda_layer_version.package) == ["complete"] && aws_lambda_layer_version.package["complete"].layer_name == "media-test-complete"
    error_message = "Each package becomes a layer called like the hop's function."
  }
}
