/* The commands: each takes what was typed, and returns an exit status. */
#pragma once

struct cli;

int cmd_authorize(struct cli *c);
int cmd_claim_code(struct cli *c);
int cmd_completion(struct cli *c);
int cmd_config(struct cli *c);
int cmd_deauthorize(struct cli *c);
int cmd_disco(struct cli *c);
int cmd_get(struct cli *c);
int cmd_help(struct cli *c);
int cmd_identity(struct cli *c);
int cmd_ik_convert(struct cli *c);
int cmd_mkshadow(struct cli *c);
int cmd_names(struct cli *c);
int cmd_nc(struct cli *c);
int cmd_net_address(struct cli *c);
int cmd_net_create(struct cli *c);
int cmd_net_join(struct cli *c);
int cmd_net_leave(struct cli *c);
int cmd_ping(struct cli *c);
int cmd_publish(struct cli *c);
int cmd_pull(struct cli *c);
int cmd_push(struct cli *c);
int cmd_reset(struct cli *c);
int cmd_setup(struct cli *c);
int cmd_shell(struct cli *c);
int cmd_sign(struct cli *c);
int cmd_status(struct cli *c);
int cmd_stream(struct cli *c);
int cmd_subscribe(struct cli *c);
int cmd_sysinfo(struct cli *c);
int cmd_tcp(struct cli *c);
int cmd_vault_export(struct cli *c);
int cmd_vault_restore(struct cli *c);
int cmd_verify(struct cli *c);
int cmd_version(struct cli *c);
