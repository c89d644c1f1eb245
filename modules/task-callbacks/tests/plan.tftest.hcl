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
  name     = "media-callbacks"
  settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
}

override_resource {
  target          = aws_dynamodb_table.callbacks
  override_during = plan
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-callbacks" }
}

override_resource {
  target          = module.function.aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-callbacks" }
}

run "the_table_is_what_the_function_reads" {
  command = plan

  assert {
    condition = (
      aws_dynamodb_table.callbacks.hash_key == "pk" && aws_dynamodb_table.callbacks.range_key == "sk"
      && aws_dynamodb_table.callbacks.ttl[0].attribute_name == "expires" && aws_dynamodb_table.callbacks.ttl[0].enabled
      && aws_dynamodb_table.callbacks.point_in_time_recovery[0].enabled
    )
    error_message = "The table must be as docs/reference/tables.md says."
  }

  assert {
    condition     = module.function.environment["TASK_CALLBACKS_TABLE"] == "media-callbacks"
    error_message = "The function must know its table."
  }
}

run "the_function_may_use_its_table_and_answer_tasks" {
  command = plan

  assert {
    condition = jsondecode(module.function.policy).Statement == [
      { Sid = "WriteLog", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-callbacks:*"] },
      { Sid = "AnswerTasks", Effect = "Allow", Action = ["states:SendTaskFailure", "states:SendTaskSuccess"], Resource = ["*"] },
      { Sid = "TaskCallbacks", Effect = "Allow", Action = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-callbacks"] },
    ]
    error_message = "The function may do this and nothing else."
  }
}

run "it_takes_a_customer_managed_key_and_puts_out_what_other_modules_take" {
  command = plan

  variables {
    settings = {
      package = { s3_bucket = "packages", s3_key = "media_events.zip" }
      kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }
    }
  }

  assert {
    condition     = aws_dynamodb_table.callbacks.server_side_encryption[0].kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/1"
    error_message = "The key must encrypt the tokens."
  }

  assert {
    condition     = output.task_callbacks_table == { name = "media-callbacks", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-callbacks" } && output.log_group_names == { "task-callbacks/media-callbacks" = "/aws/lambda/media-callbacks" }
    error_message = "A route takes the table, and dlq-review the log group."
  }
}

run "snap_start_is_refused" {
  command = plan

  variables {
    function = { snap_start = true }
  }

  expect_failures = [aws_dynamodb_table.callbacks]
}
