# The dead-letter queues' ARNs are not known when planned, as in a first deployment; everything that is counted must be.

mock_provider "aws" {
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:rule/made" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:made" }
  }

  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/made" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:made" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { id = "made", arn = "arn:aws:s3:::made" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:made", url = "https://sqs.example/made" }
  }

  mock_resource "aws_cloudwatch_event_bus" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media-example" }
  }
}

run "a_first_deployment_of_queues_and_review_together" {
  module {
    source = "../../examples/dlq-review"
  }

  assert {
    condition     = output.review_table_name == "media-example-review-items"
    error_message = "The example must deploy at once, with nothing made beforehand."
  }
}

run "outputs_name_what_was_made" {
  variables {
    name     = "media-test-review"
    bus_arn  = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
    dead_letter_queues = {
      "route/lake" = {
        queue_arn      = "arn:aws:sqs:eu-west-1:123456789012:media-lake-dlq"
        queue_url      = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-lake-dlq"
        hop            = "route/lake"
        destination    = "lake"
        redrive_target = "bus"
      }
    }
  }

  assert {
    condition = (
      output.review_table_name == "media-test-review-items" && output.review_table_arn == "arn:aws:dynamodb:eu-west-1:123456789012:table/made"
      && output.topic_arn == "arn:aws:sns:eu-west-1:123456789012:made" && output.function_arns == { "review/media-test-review" = "arn:aws:lambda:eu-west-1:123456789012:function:made" }
      && output.log_group_names == { "review/media-test-review" = "/aws/lambda/media-test-review" }
      && output.bucket == { name = "made", arn = "arn:aws:s3:::made" }
    )
    error_message = "The outputs must name what was made; without a bucket the module makes one."
  }
}
