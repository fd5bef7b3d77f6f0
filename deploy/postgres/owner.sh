#!/bin/sh
# Runs once, when PostgreSQL makes its data directory: the owner of the tables, who is no superuser and whom row policies bind.
set -eu
password=$(cat /run/secrets/owner-password)
psql --no-psqlrc -v ON_ERROR_STOP=1 -v password="$password" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role hub_owner login createrole nosuperuser nobypassrls password :'password';
create database hub owner hub_owner;
SQL
