"""A model of AWS in one process and in virtual time. Everything happens here that its documentation allows."""
