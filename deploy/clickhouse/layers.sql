create database if not exists ods;
create database if not exists dwd;
create database if not exists dws;
create database if not exists ads;
