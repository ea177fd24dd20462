# bash completion of klaviyo-export
_klaviyo_export() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags= values= files= word
  COMPREPLY=()
  if [[ $current == = ]]; then
    current=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W 'add remove mirror subscribe unsubscribe run check wait members send pick report schedule doctor simulate completion --help --version' -- "$current"))
    return
  fi
  case ${COMP_WORDS[1]} in
  add)
    flags='--list-id --list-name --list-column --lists-by --create-lists --opt-in --no-create --by --map --drop --default-country --bad-phone --empty --nulls --duplicates --duplicate-window --max-invalid --stop-on-invalid --expect-rows --min-rows --dry-run --print-requests --check-first --resume --concurrency --batch-delay --rate-share --no-rate-limit --retry-for --state --full --wait --verify --wait-timeout --max-open-jobs --api-key-file --base-url --allow-insecure --revision --simulate --quiet --log-format --help --version'
    case $before in
    --lists-by) values='name id' flags= ;;
    --opt-in) values='single double' flags= ;;
    --by) values='email phone_number external_id' flags= ;;
    --bad-phone) values='reject drop' flags= ;;
    --empty) values='keep null' flags= ;;
    --nulls) values='ignore clear' flags= ;;
    --duplicates) values='first send' flags= ;;
    --resume) files=yes flags= ;;
    --state) files=yes flags= ;;
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --list-id | --list-name | --list-column | --create-lists | --map | --drop | --default-country | --duplicate-window | --max-invalid | --expect-rows | --min-rows | --concurrency | --batch-delay | --rate-share | --retry-for | --wait-timeout | --max-open-jobs | --base-url | --revision) flags= ;;
    esac
    ;;
  remove)
    flags='--list-id --list-name --list-column --lists-by --by --map --drop --default-country --bad-phone --duplicates --duplicate-window --max-invalid --stop-on-invalid --expect-rows --min-rows --dry-run --print-requests --check-first --resume --concurrency --batch-delay --rate-share --no-rate-limit --retry-for --verify --api-key-file --base-url --allow-insecure --revision --simulate --quiet --log-format --help --version'
    case $before in
    --lists-by) values='name id' flags= ;;
    --by) values='email phone_number external_id' flags= ;;
    --bad-phone) values='reject drop' flags= ;;
    --duplicates) values='first send' flags= ;;
    --resume) files=yes flags= ;;
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --list-id | --list-name | --list-column | --map | --drop | --default-country | --duplicate-window | --max-invalid | --expect-rows | --min-rows | --concurrency | --batch-delay | --rate-share | --retry-for | --base-url | --revision) flags= ;;
    esac
    ;;
  mirror)
    flags='--list-id --list-name --opt-in --no-create --plan --max-removals --max-unmatched --by --map --drop --default-country --bad-phone --empty --nulls --duplicates --max-invalid --stop-on-invalid --expect-rows --min-rows --resume --concurrency --batch-delay --rate-share --no-rate-limit --retry-for --state --full --wait-timeout --max-open-jobs --api-key-file --base-url --allow-insecure --revision --simulate --quiet --log-format --help --version'
    case $before in
    --opt-in) values='single double' flags= ;;
    --by) values='email phone_number external_id' flags= ;;
    --bad-phone) values='reject drop' flags= ;;
    --empty) values='keep null' flags= ;;
    --nulls) values='ignore clear' flags= ;;
    --duplicates) values='first send' flags= ;;
    --resume) files=yes flags= ;;
    --state) files=yes flags= ;;
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --list-id | --list-name | --max-removals | --max-unmatched | --map | --drop | --default-country | --max-invalid | --expect-rows | --min-rows | --concurrency | --batch-delay | --rate-share | --retry-for | --wait-timeout | --max-open-jobs | --base-url | --revision) flags= ;;
    esac
    ;;
  subscribe)
    flags='--list-id --list-name --list-column --lists-by --create-lists --opt-in --no-create --channel --historical --consented-at --source --by --map --drop --default-country --bad-phone --duplicate-window --max-invalid --stop-on-invalid --expect-rows --min-rows --dry-run --print-requests --check-first --resume --concurrency --batch-delay --rate-share --no-rate-limit --retry-for --wait --wait-timeout --api-key-file --base-url --allow-insecure --revision --simulate --quiet --log-format --help --version'
    case $before in
    --lists-by) values='name id' flags= ;;
    --opt-in) values='single double' flags= ;;
    --by) values='email phone_number external_id' flags= ;;
    --bad-phone) values='reject drop' flags= ;;
    --resume) files=yes flags= ;;
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --list-id | --list-name | --list-column | --create-lists | --channel | --consented-at | --source | --map | --drop | --default-country | --duplicate-window | --max-invalid | --expect-rows | --min-rows | --concurrency | --batch-delay | --rate-share | --retry-for | --wait-timeout | --base-url | --revision) flags= ;;
    esac
    ;;
  unsubscribe)
    flags='--list-id --list-name --list-column --lists-by --channel --everywhere --by --map --drop --default-country --bad-phone --duplicate-window --max-invalid --stop-on-invalid --expect-rows --min-rows --dry-run --print-requests --check-first --resume --concurrency --batch-delay --rate-share --no-rate-limit --retry-for --wait --wait-timeout --api-key-file --base-url --allow-insecure --revision --simulate --quiet --log-format --help --version'
    case $before in
    --lists-by) values='name id' flags= ;;
    --by) values='email phone_number external_id' flags= ;;
    --bad-phone) values='reject drop' flags= ;;
    --resume) files=yes flags= ;;
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --list-id | --list-name | --list-column | --channel | --map | --drop | --default-country | --duplicate-window | --max-invalid | --expect-rows | --min-rows | --concurrency | --batch-delay | --rate-share | --retry-for | --wait-timeout | --base-url | --revision) flags= ;;
    esac
    ;;
  run)
    flags='--list-id --list-name --opt-in --no-create --set --secrets --task --no-wait --print --by --map --drop --default-country --bad-phone --empty --nulls --duplicates --duplicate-window --max-invalid --stop-on-invalid --expect-rows --min-rows --dry-run --print-requests --check-first --resume --concurrency --batch-delay --rate-share --no-rate-limit --retry-for --state --full --wait --verify --wait-timeout --max-open-jobs --api-key-file --base-url --allow-insecure --revision --simulate --quiet --log-format --help --version'
    case $before in
    --opt-in) values='single double' flags= ;;
    --secrets) files=yes flags= ;;
    --by) values='email phone_number external_id' flags= ;;
    --bad-phone) values='reject drop' flags= ;;
    --empty) values='keep null' flags= ;;
    --nulls) values='ignore clear' flags= ;;
    --duplicates) values='first send' flags= ;;
    --resume) files=yes flags= ;;
    --state) files=yes flags= ;;
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --list-id | --list-name | --set | --task | --map | --drop | --default-country | --duplicate-window | --max-invalid | --expect-rows | --min-rows | --concurrency | --batch-delay | --rate-share | --retry-for | --wait-timeout | --max-open-jobs | --base-url | --revision) flags= ;;
    *) files=yes ;;
    esac
    ;;
  check)
    flags='--operation --list-column --channel --historical --consented-at --by --map --drop --default-country --bad-phone --empty --nulls --duplicates --duplicate-window --max-invalid --stop-on-invalid --expect-rows --min-rows --quiet --log-format --help --version'
    case $before in
    --operation) values='add remove mirror subscribe unsubscribe' flags= ;;
    --by) values='email phone_number external_id' flags= ;;
    --bad-phone) values='reject drop' flags= ;;
    --empty) values='keep null' flags= ;;
    --nulls) values='ignore clear' flags= ;;
    --duplicates) values='first send' flags= ;;
    --log-format) values='text json' flags= ;;
    --list-column | --channel | --consented-at | --map | --drop | --default-country | --duplicate-window | --max-invalid | --expect-rows | --min-rows) flags= ;;
    esac
    ;;
  wait)
    flags='--verify --max-invalid --wait-timeout --max-open-jobs --api-key-file --base-url --allow-insecure --revision --quiet --log-format --help --version'
    case $before in
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --max-invalid | --wait-timeout | --max-open-jobs | --base-url | --revision) flags= ;;
    esac
    ;;
  members)
    flags='--fields --list-id --list-name --api-key-file --base-url --allow-insecure --revision --quiet --log-format --help --version'
    case $before in
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --fields | --list-id | --list-name | --base-url | --revision) flags= ;;
    esac
    ;;
  send)
    flags='--campaign --clone --max-recipients --min-recipients --no-estimate --again --dry-run --wait-timeout --api-key-file --base-url --allow-insecure --revision --quiet --log-format --help --version'
    case $before in
    --api-key-file) files=yes flags= ;;
    --log-format) values='text json' flags= ;;
    --campaign | --clone | --max-recipients | --min-recipients | --wait-timeout | --base-url | --revision) flags= ;;
    esac
    ;;
  pick)
    flags='--status --help --version'
    case $before in
    --status) values='applied accepted skipped rejected unknown unsent valid missing' flags= ;;
    *) files=yes ;;
    esac
    ;;
  report)
    flags='--format --exit-status --rejected --help --version'
    case $before in
    --format) values='json text html prometheus' flags= ;;
    --rejected) values='csv json' flags= ;;
    *) files=yes ;;
    esac
    ;;
  schedule)
    flags='--timezone --delay --start --end --skip-on-overtime --skip-delayed-by --workflow --set --secrets --give-up-after --log --next --from --explain --export --help --version'
    case $before in
    --workflow) files=yes flags= ;;
    --secrets) files=yes flags= ;;
    --log) files=yes flags= ;;
    --export) values='crontab systemd kubernetes' flags= ;;
    --timezone | --delay | --start | --end | --skip-delayed-by | --set | --give-up-after | --next | --from) flags= ;;
    *) files=yes ;;
    esac
    ;;
  doctor)
    flags='--list-id --list-name --api-key-file --base-url --allow-insecure --revision --help --version'
    case $before in
    --api-key-file) files=yes flags= ;;
    --list-id | --list-name | --base-url | --revision) flags= ;;
    esac
    ;;
  simulate)
    flags='--addr --no-rate-limit --job-time --ledger --plan --help --version'
    case $before in
    --plan) files=yes flags= ;;
    --addr | --job-time) flags= ;;
    esac
    ;;
  completion)
    flags='--help --version'
    case $before in
    *) values='bash zsh fish' ;;
    esac
    ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word != -- ]] || values= files=yes flags=
  done
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
  elif [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  fi
  [[ $current != -* ]] || COMPREPLY=($(compgen -W "$flags" -- "$current"))
}
complete -F _klaviyo_export klaviyo-export
