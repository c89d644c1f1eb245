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
  name           = "media-waits"
  lambda_package = { s3_bucket = "packages", s3_key = "media_events.zip" }
}

override_resource {
  target          = aws_dynamodb_table.waits
  override_during = plan
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-waits" }
}

override_resource {
  target          = module.function.aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-waits" }
}

run "the_table_is_what_the_function_reads" {
  command = plan

  assert {
    condition = (
      aws_dynamodb_table.waits.hash_key == "pk" && aws_dynamodb_table.waits.range_key == "sk"
      && aws_dynamodb_table.waits.ttl[0].attribute_name == "expires" && aws_dynamodb_table.waits.ttl[0].enabled
      && aws_dynamodb_table.waits.point_in_time_recovery[0].enabled
    )
    error_message = "The table must be as docs/contracts.md, section 11, says."
  }

  assert {
    condition     = module.function.environment["WAITS_TABLE"] == "media-waits"
    error_message = "The function must know its table."
  }
}

run "the_function_may_use_its_table_and_answer_tasks" {
  command = plan

  assert {
    condition = jsondecode(module.function.policy).Statement == [
      { Sid = "WriteLog", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-waits:*"] },
      { Sid = "AnswerTasks", Effect = "Allow", Action = ["states:SendTaskFailure", "states:SendTaskSuccess"], Resource = ["*"] },
      { Sid = "Waits", Effect = "Allow", Action = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-waits"] },
    ]
    error_message = "The function may do this and nothing else."
  }
}
