-- What PostGraphile serves: views with the names of the graph, joined by smart tags since no foreign key crosses a schema.
drop schema if exists postgraphile cascade;
create schema postgraphile;
set search_path = postgraphile;

create view org_unit as select number, 'u' || number as unit_id, name from hub.unit;
comment on view org_unit is E'@primaryKey number';
comment on column org_unit.unit_id is E'@name id';

-- The card in force is a column made by a sub-select: a relation to a view of it would be joined whole, 60 ms a page.
create view citizen as select id as citizen_id, full_name, life_status, unit_no, date_of_birth as born, birth_precision, gender, phone, states,
    (select k.number from insurance.card k where k.citizen_id = c.id and k.status in ('ACTIVE', 'UNVERIFIED')
       and k.valid_from <= (now() at time zone 'Asia/Ho_Chi_Minh')::date
       and (k.valid_to is null or k.valid_to >= (now() at time zone 'Asia/Ho_Chi_Minh')::date)
     order by k.status, k.valid_from desc, k.valid_to desc nulls first, k.id limit 1) as number_in_force
  from citizens.citizen c where life_status <> 'MERGED';
comment on view citizen is E'@primaryKey citizen_id\n@foreignKey (unit_no) references org_unit (number)|@fieldName orgUnit';
comment on column citizen.citizen_id is E'@name id';

create view citizen_number as select value, citizen_id from citizens.identifier;
comment on view citizen_number is E'@primaryKey value\n@foreignKey (citizen_id) references citizen (citizen_id)|@fieldName citizen|@foreignFieldName numbers';

create view insurance_card as select id as card_id, citizen_id, number, valid_from, valid_to from insurance.card where status <> 'WITHDRAWN';
comment on view insurance_card is E'@primaryKey card_id\n@foreignKey (citizen_id) references citizen (citizen_id)|@fieldName citizen|@foreignSimpleFieldName insuranceCards|@behavior +list';

create view digitized_result as select id as result_id, citizen_id, code, name, issued_on from results.result where state <> 'WITHDRAWN';
comment on view digitized_result is E'@primaryKey result_id\n@foreignKey (citizen_id) references citizen (citizen_id)|@fieldName citizen|@foreignFieldName digitizedResults';

create view referral_slip as select id as slip_id, citizen_id, number, status, issued_on from slips.referral_slip where status <> 'WITHDRAWN';
comment on view referral_slip is E'@primaryKey slip_id\n@foreignKey (citizen_id) references citizen (citizen_id)|@fieldName citizen|@foreignFieldName referralSlips';

create view reexamination_slip as select id as slip_id, citizen_id, appointment_on from slips.reexamination_slip where status <> 'WITHDRAWN';
comment on view reexamination_slip is E'@primaryKey slip_id\n@foreignKey (citizen_id) references citizen (citizen_id)|@fieldName citizen|@foreignFieldName reexaminationSlips';
comment on column reexamination_slip.slip_id is E'@name id';
