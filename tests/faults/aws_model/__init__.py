"""A model of AWS in one process and in virtual time: what its documentation allows to happen does happen here."""
