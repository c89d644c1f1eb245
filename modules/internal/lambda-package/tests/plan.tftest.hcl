# Plans with the real provider and no access to AWS.

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
  settings = { bucket = { name = "kit", arn = "arn:aws:s3:::kit" } }
}

run "the_repository_s_zip_is_stored_under_its_digest" {
  command = plan

  assert {
    condition     = aws_s3_object.this.bucket == "kit" && aws_s3_object.this.key == "packages/${filesha256("../../../lambda_src/dist/media_events.zip")}.zip"
    error_message = "The key must be made of the content's digest."
  }

  assert {
    condition     = filesha256(aws_s3_object.this.source) == filesha256("../../../lambda_src/dist/media_events.zip")
    error_message = "Without a file of the caller's the zip that comes with the repository must be uploaded."
  }
}

run "functions_are_told_of_another_zip_before_it_is_uploaded" {
  command = plan

  assert {
    condition     = output.package == { s3_bucket = "kit", s3_key = aws_s3_object.this.key, source_code_hash = filebase64sha256("../../../lambda_src/dist/media_events.zip") }
    error_message = "Key and hash must be known in the plan: by them functions notice another zip."
  }
}

run "a_given_file_is_stored_at_a_given_place" {
  command = plan

  variables {
    filename = "versions.tf"
    prefix   = "media/code"
  }

  assert {
    condition     = aws_s3_object.this.source == "versions.tf" && output.package.s3_key == "media/code/${filesha256("versions.tf")}.zip" && output.package.source_code_hash == filebase64sha256("versions.tf")
    error_message = "The file that the caller names must be stored."
  }
}

run "the_object_has_no_tags_however_many_everything_else_has" {
  command = plan

  variables {
    settings = {
      bucket = { name = "kit", arn = "arn:aws:s3:::kit" }
      tags   = { for number in range(40) : "tag-${number}" => "any" }
    }
  }

  assert {
    condition     = aws_s3_object.this.tags == null && length(aws_s3_object.this.override_provider[0].default_tags) == 1
    error_message = "S3 refuses an object with more than ten tags."
  }
}

run "a_package_that_is_not_there_is_refused" {
  command = plan

  variables {
    filename = "there/is/no.zip"
  }

  expect_failures = [aws_s3_object.this]
}

run "a_package_without_a_bucket_is_refused" {
  command = plan

  variables {
    settings = {}
  }

  expect_failures = [aws_s3_object.this]
}

run "a_folder_is_no_package" {
  command = plan

  variables {
    filename = "tests"
  }

  expect_failures = [aws_s3_object.this]
}

run "a_package_never_lies_where_objects_expire" {
  command = plan

  variables {
    prefix = "bodies/events"
  }

  expect_failures = [var.prefix]
}

run "a_prefix_that_ends_with_a_slash_is_refused" {
  command = plan

  variables {
    prefix = "packages/"
  }

  expect_failures = [var.prefix]
}
