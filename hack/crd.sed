# What controller-gen has no marker for: elements of an array may be null. Without this the
# API server reads such an object and refuses every change of it.
s/^\( *\)description: JSON is any JSON value, including null\.$/&\
\1nullable: true/
