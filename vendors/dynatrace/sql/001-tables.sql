create table user_session (
  tenant_id text not null,
  user_session_id text not null,
  start_time timestamptz not null,
  _file_id bigint not null,
  _line bigint not null,
  _extra jsonb,
  primary key (tenant_id, user_session_id, start_time)
);
create index on user_session (_file_id);
