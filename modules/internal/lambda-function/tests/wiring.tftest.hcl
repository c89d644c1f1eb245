mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/media-test-cms" }
  }

  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms"
      invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms/invocations"
    }
  }
}

variables {
  hop           = "route/cms"
  name          = "media-test-cms"
  handler       = "media_events.handlers.deliver.handler"
  configuration = jsonencode({ destination = { name = "cms" } })
  settings = {
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
    bucket  = { name = "media", arn = "arn:aws:s3:::media" }
  }
}

run "outputs_name_what_was_made" {
  assert {
    condition = (
      output.function_name == "media-test-cms"
      && output.function_arn == "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms"
      && output.role_arn == "arn:aws:iam::123456789012:role/media-test-cms"
      && output.log_group_name == "/aws/lambda/media-test-cms"
    )
    error_message = "The outputs must be those of the resources."
  }

  assert {
    condition     = aws_lambda_function.this.role == aws_iam_role.this[0].arn && aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this[0].name
    error_message = "The function must have its role and write to the log group that has a retention."
  }
}

run "a_new_configuration_is_a_new_object" {
  variables {
    configuration = jsonencode({ destination = { name = "another" } })
  }

  assert {
    condition     = aws_s3_object.configuration[0].key != run.outputs_name_what_was_made.configuration_key && aws_s3_object.configuration[0].key == output.configuration_key
    error_message = "A new configuration must not overwrite the one that running functions have."
  }
}
