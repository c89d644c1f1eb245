# What plans can't tell: outputs of what was made, and a configuration that is unknown until then.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:made" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:rule/media/made" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:made", url = "https://sqs.example/made" }
  }

  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/made" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { id = "made", arn = "arn:aws:s3:::made" }
  }
}

variables {
  name    = "media_Test"
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = {
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
  }

  transforms = {
    tidy = { pattern = jsonencode({ source = ["partner.mux"] }), steps = jsonencode([{ drop = "data.test" }]) }
  }

  routes = {
    cms = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://cms.example.com/" } } }
    lake = {
      pattern = jsonencode({ source = ["partner.mux"] })
      target  = { sqs = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:lake", queue_url = "https://sqs.example/lake" } }
    }
  }
}

run "outputs_are_keyed_by_hop" {
  assert {
    condition = (
      output.function_arns == { "transform/tidy" = "arn:aws:lambda:eu-west-1:123456789012:function:made", "route/cms" = "arn:aws:lambda:eu-west-1:123456789012:function:made" }
      && output.role_arns == { "transform/tidy" = "arn:aws:iam::123456789012:role/made", "route/cms" = "arn:aws:iam::123456789012:role/made" }
      && output.log_group_names == { "transform/tidy" = "/aws/lambda/media_Test-tidy", "route/cms" = "/aws/lambda/media_Test-cms" }
      && output.queue_urls == { "transform/tidy" = "https://sqs.example/made", "route/cms" = "https://sqs.example/made", "route/lake" = "https://sqs.example/lake" }
      && toset(keys(output.rule_arns)) == toset(["transform/tidy", "route/cms", "route/lake"])
      && output.idempotency_tables == { for hop in ["transform/tidy", "route/cms"] : hop => { name = "media_Test-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/made" } }
    )
    error_message = "The outputs must name what was made, by hop."
  }

  assert {
    condition     = length(module.bucket) == 1 && module.hop["tidy"].environment["BODIES_URI"] == "s3://made/bodies/events/"
    error_message = "Without a bucket the module makes one, and its functions use it."
  }
}
